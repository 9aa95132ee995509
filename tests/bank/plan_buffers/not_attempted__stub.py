# expect: not attempted
def plan_buffers(states):
    raise NotImplementedError
