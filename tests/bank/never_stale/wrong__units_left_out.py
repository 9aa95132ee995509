# expect: wrong: units.py must be among the files
def never_stale():
    return {"terrain.py": "SCALE = 1.0"}
