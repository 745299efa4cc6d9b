# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 of the engine on a shared-memory wire: the generator's end of it dies too, and is made anew."""

import json

from parts import need
from rig import Rig


def run(settings):
    with Rig('vhost', settings.seed) as rig:
        rig.start_redis()
        rig.write_files(port=f'net_vhost0,iface={rig.dir}/wire.sock,queues=2')
        rig.start_all(port=f'net_virtio_user0,path={rig.dir}/wire.sock,queues=2,queue_size=1024,'
                           'packed_vq=1,in_order=1,mrg_rxbuf=0')
        for _ in range(settings.vhost_kills):
            rig.admitting(100)
            rig.kill()
            rig.restart()
        rig.admitting(100)
        counts = rig.finish()
        lives = json.loads((rig.dir / 'load.json').read_text())['engine_lives']
        need(lives == settings.vhost_kills + 1,
             f'the generator spoke to {lives} engines, not {settings.vhost_kills + 1}')
        return counts
