"""hwgen: from number-format specs to verified low-precision arithmetic hardware."""

__version__ = "0.1.0"
