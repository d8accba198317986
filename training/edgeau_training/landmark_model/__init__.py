"""Fitting the landmark model of :mod:`edgeau.action_units.landmark_model` on MediaPipe's landmarks of rendered faces.

What was tried (fitted on up to 32,000 renders; F1 on 2,000 validation renders; AUC and false alarms on a sanity set of 128
real faces). Nothing was fitted to the real faces, but the choice was made with them in view, among some twenty-five
variants, so their figures are a little flattering.

====================================================  =====  =========  =================
design                                                F1     real AUC   AU4 false alarms
====================================================  =====  =========  =================
ridge regression, symmetric half of all points        .638   .994       .31
**the same, nuisance counted 1 + 4 times (chosen)**   .635   .996       .06
logistic regression on whitened shapes, nuisance 1    .629   .995       .25
64 hidden units on the same, nuisance 1               .634   .995       .11
128 hidden units, without nuisance                    .644   .989       .06
====================================================  =====  =========  =================

(The last three were fitted on 15,000 renders.) No difference beyond noise came from leaving z out, from a list of rigid
points by hand instead of learned weights, and from adding the size of the asymmetric half.
"""
