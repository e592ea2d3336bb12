"""Three counters of multiply-adds with one convention: products count, everything else is free.

A MAC is one multiply-add of a convolution, matrix product, attention, recurrent cell or transform.
Additions of a bias, normalisation, activation, pooling, resampling and reductions are free.
"""
