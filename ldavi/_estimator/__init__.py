"""The scikit-learn estimator and what knows it: settings, validation, the fitting driver, prediction."""
