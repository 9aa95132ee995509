# expect: correct
import re


def decode_message(message):
    kind, text = message.split(": ", 1)
    place = re.search(r'File "yours.py", line (\d+):', text)
    call = re.search(r">>> (.+)", text)
    failed = re.compile(r"Failed in \w+ mode pipeline \(step: .*\)\n")
    who = "types" if kind == "TypingError" else "reading" if kind == "UnsupportedError" else "run"
    return who, int(place.group(1)) if place else 0, call[1] if call else failed.sub("", text).split("\n")[0]
