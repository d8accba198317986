"""DRML (CVPR 2016) and the three networks that its poster compares it with."""
