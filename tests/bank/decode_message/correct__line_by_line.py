# expect: correct
def decode_message(message):
    kind = message[: message.index(":")]
    who, line, reason, call = "run", 0, "", ""
    if kind == "TypingError":
        who = "types"
    if kind == "UnsupportedError":
        who = "reading"
    for row in message[len(kind) + 2 :].split("\n"):
        row = row.strip()
        if row.startswith('File "yours.py", line ') and line == 0:
            line = int(row[len('File "yours.py", line ') : -1])
        if row.startswith(">>> ") and not call:
            call = row[4:]
        if row and not row.startswith("Failed in") and not reason:
            reason = row
    return who, line, call or reason
