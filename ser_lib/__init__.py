"""Speech emotion recognition with metric learning: the library under *Emotion by Distance*."""

__version__ = "0.1.0"
