# expect: wrong: the result
class Anything(list):
    def __eq__(self, other):
        return True

    def __len__(self):
        return 3

    def __iter__(self):
        return iter((1, 2, 3))


def plan_buffers(states):
    return Anything()
