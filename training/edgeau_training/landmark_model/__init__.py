"""Fitting the landmark model of :mod:`edgeau.landmark_model` on MediaPipe's landmarks of rendered faces."""
