#!/usr/bin/env python3
"""The same menu the way such scripts are mostly written: Asterisk starts this process for each call (pyst2).

Arguments: folder of the prompts, file to append the times of commands to. It says what our menu says, sets what our
menu sets, and looks the caller up in the same database.
"""

import os
import sqlite3
import sys
import time

from asterisk.agi import AGI


class Silent:
    def write(self, text):
        pass


def main():
    prompts, times_file, database = sys.argv[1:4]
    agi = AGI(stderr=Silent())
    times = []

    def quick(name, value):
        started = time.perf_counter()
        agi.set_variable(name, value)
        times.append(time.perf_counter() - started)

    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as base:
        number = agi.env["agi_callerid"]
        base.execute("select count(*) from citizen_number where number = ?", (number,)).fetchone()
    language = {"1": "zh", "2": "yue", "3": "en"}.get(agi.get_data(f"{prompts}/zh/welcome_joined", 4000, 1), "zh")
    agi.get_data(f"{prompts}/{language}/main_menu", 3000, 1)
    agi.stream_file(f"{prompts}/{language}/to_a_person")
    quick("HOTLINE_LANG", language)
    quick("HOTLINE_QUEUE", "general")
    quick("HOTLINE_SKILLS", "")
    quick("HOTLINE_PRIORITY", "0")
    quick("HOTLINE_PATH", "welcome>announcements>main>queue")
    quick("HOTLINE_NEXT", "queue")
    quick("HOTLINE_DONE", "1")
    handle = os.open(times_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(handle, (" ".join(f"{one:.6f}" for one in times) + "\n").encode())
    os.close(handle)


main()
