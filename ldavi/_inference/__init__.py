"""The algorithms: arrays in, arrays out. No module here uses scikit-learn, prints, warns or chooses a seed."""
