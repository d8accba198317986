"""The school of edgeau: networks, losses, data sets, synthetic faces, training and evaluation. Needs torch; no device does."""
