# expect: wrong: the result is 4, expected 5
import re


def decode_message(message):
    kind, _, text = message.partition(": ")
    who = {"TypingError": "types", "UnsupportedError": "reading"}.get(kind, "run")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    place = re.search(r'File "[^"]*", line (\d+)', text)
    calls = [line[4:] for line in lines if line.startswith(">>> ")]
    reasons = [line for line in lines if not line.startswith("Failed in ")]
    return who, int(place[1]) if place else 0, (calls + reasons)[0]
