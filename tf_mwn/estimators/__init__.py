"""Estimators of scikit-learn's kind around the methods of this package."""
