"""The algorithms: arrays in, arrays out. No module here knows scikit-learn, prints, warns or draws random numbers."""
