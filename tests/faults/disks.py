# SPDX-License-Identifier: BSD-3-Clause
"""Disks that can be harmed: ext4 on a loop file, and ext4 on a network block device whose server is
told to fail. Both are mounted in the test's own mount namespace with loop devices that go
when they are unmounted, so nothing stays behind whatever happens to the test."""

import fcntl
import os
import pathlib
import struct
import time

from parts import Failed, Process, Skipped, command, needs, wait_for

EXT4_IOC_SHUTDOWN = 0x8004587d  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2  # what is not flushed is lost, as when the power goes
FIFREEZE, FITHAW = 0xc0045877, 0xc0045878  # _IOWR('X', 119, int), _IOWR('X', 120, int)
MIB = 1 << 20


def needs_loop_devices():
    if os.environ.get('FAULTS_INSIDE') != 'root':
        raise Skipped('loop devices and mounts need root')
    if not pathlib.Path('/dev/loop-control').exists():
        raise Skipped('/dev/loop-control is missing: no loop devices here')
    needs('mkfs.ext4', 'mount', 'losetup')


class Disk:
    """An ext4 file system at `path`, on the image `image`."""

    direct = False  # past the page cache of the image's own file system

    def __init__(self, rig, image):
        self.rig, self.image, self.path = rig, image, rig.dir / 'disk'
        self.path.mkdir(exist_ok=True)
        command('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image)
        self.mount()
        rig.at_end.append(lambda: command('umount', '--lazy', self.path, ok=False))

    def mount(self):
        direct = 'on' if self.direct else 'off'
        done = command('losetup', '--find', '--show', f'--direct-io={direct}', self.image, ok=False)
        device = done.stdout.strip()
        if done.returncode == 0:
            done = command('mount', '-o', 'noatime', device, self.path, ok=False)
            command('losetup', '--detach', device)  # when it is unmounted
        if done.returncode != 0:
            raise Skipped(f'ext4 on a loop device cannot be mounted: {done.stderr.strip()}')

    def unmount(self):
        def probe():
            return command('umount', self.path, ok=False).returncode == 0
        wait_for('the disk to be unmounted', probe)

    def check(self):
        """What a start of the machine would do after an error."""
        done = command('e2fsck', '-p', self.image, ok=False)
        if done.returncode > 2:
            raise Failed(f'e2fsck: {done.stdout}{done.stderr}')

    def use_for_log(self):
        self.rig.log_dir = self.path / 'log'
        self.rig.log_dir.mkdir()


class LoopDisk(Disk):
    def __init__(self, rig, mib=160):
        needs_loop_devices()
        # In memory: what the disk below does at the same time must not show in what a test measures.
        memory = rig.dir / 'memory'
        memory.mkdir()
        command('mount', '-t', 'tmpfs', 'flashgate-faults', memory)
        rig.at_end.append(lambda: command('umount', '--lazy', memory, ok=False))
        image = memory / 'disk.img'
        with open(image, 'wb') as file:
            os.posix_fallocate(file.fileno(), 0, mib * MIB)
        super().__init__(rig, image)

    def cut_power(self):
        """From now on nothing reaches the disk, and nothing that was not flushed is on it."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack('I', NO_LOG_FLUSH))
        except OSError as error:
            raise Skipped(f'this kernel does not shut ext4 down: {error}') from None
        finally:
            os.close(folder)

    def power_on(self):
        self.unmount()
        self.mount()

    def stall(self, seconds):
        """No write to the file system moves for so long; then all go on."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, FIFREEZE, 0)
            try:
                time.sleep(seconds)
            finally:
                fcntl.ioctl(folder, FITHAW, 0)
        except OSError as error:
            raise Skipped(f'this kernel does not freeze ext4: {error}') from None
        finally:
            os.close(folder)


class NetworkDisk(Disk):
    """nbdkit's memory disk, made a file by nbdfuse. Its writes fail while a trigger file exists."""

    direct = True  # an error must reach the log's write, not a later one

    def __init__(self, rig, mib=160):
        needs_loop_devices()
        needs('nbdkit', 'nbdfuse')
        if not pathlib.Path('/dev/fuse').exists():
            raise Skipped('/dev/fuse is missing')
        self.trigger = rig.dir / 'fail-writes'
        address, folder = rig.dir / 'nbd.sock', rig.dir / 'nbd'
        folder.mkdir()
        Process(rig, 'nbdkit', 'nbdkit', '--foreground', '--exit-with-parent', '--unix', address,
                '--filter=error', 'memory', f'{mib}M', 'error-pwrite=EIO',
                'error-pwrite-rate=100%', f'error-pwrite-file={self.trigger}')
        wait_for('nbdkit', address.exists)
        rig.at_end.append(lambda: command('umount', '--lazy', folder, ok=False))
        fuse = Process(rig, 'nbdfuse', 'nbdfuse', folder / 'disk', '--unix', address)

        def ready():
            if not fuse.alive():
                raise Skipped(f'nbdfuse does not start here: {fuse.tail()}')
            return (folder / 'disk').is_file()
        wait_for('nbdfuse', ready)
        super().__init__(rig, folder / 'disk')

    def fail_writes(self, fail):
        if fail:
            self.trigger.touch()
        else:
            self.trigger.unlink()
