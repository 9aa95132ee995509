# expect: crashed: the process that ran it died
import os

from numba_course.process import wire


def plan_buffers(states):
    for message in (("returned", ("correct", [])), ("said", ("done", [])), ("said", ("correct", []))):
        text = wire.encode(message)
        for number in range(3, 20):
            try:
                os.write(number, len(text).to_bytes(8, "big") + text)
            except OSError:
                continue
    os._exit(0)
