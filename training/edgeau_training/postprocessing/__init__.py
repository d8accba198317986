"""From scores to answers: thresholds, ensembles, DRML's linear SVM, and the files that challenges take."""
