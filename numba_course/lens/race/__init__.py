"""Who touches what: the parallel loops of a function interpreted, iteration by iteration."""
