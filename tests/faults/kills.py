# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 at random moments: while it serves, and now and then while it starts."""

import time

from rig import Counts, Rig

KILLS_A_ROUND = 50  # then the books are judged and a new log begins


def run(settings):
    left, total, number = settings.kills, Counts(), 0
    while left > 0:
        total += one_round(settings.seed + number, min(left, KILLS_A_ROUND))
        left -= KILLS_A_ROUND
        number += 1
    return total


def one_round(seed, kills):
    with Rig('kills', seed) as rig:
        rig.start_redis()
        rig.write_files()
        rig.start_all(rate=800)
        for _ in range(kills):
            if rig.random.random() < 0.15:
                time.sleep(rig.random.uniform(0, 0.3))  # it may not serve yet
            else:
                rig.admitting(rig.random.choice((1, 1, 20, 100)))
                time.sleep(rig.random.uniform(0, 0.15))
            rig.kill()
            rig.start_engine()
        rig.serving()
        return rig.finish()
