"""MediaPipe's face detection and face mesh, run in LiteRT without the mediapipe package.

The two networks are MediaPipe's own files (:mod:`edgeau.faces.landmarks.mediapipe_models` finds them); what its graphs
``face_landmark_front_cpu`` and ``face_detection_short_range_cpu`` do around them is written here anew.
"""
