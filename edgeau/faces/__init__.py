"""From a picture to aligned faces: landmarks, tracks, head pose, crops, and whether a face can be read."""
