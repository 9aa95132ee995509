# expect: not compiled: this is an object of type partial; write a function
from functools import partial
from operator import mul

double = partial(mul, 2)
