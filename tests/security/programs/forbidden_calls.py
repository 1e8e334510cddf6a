#| family = "kernel"
#| why = "calls that are not on the list fail"
#| kinds = ["exited"]
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
CALLS = dict(
    ptrace=101, syslog=103, mount=165, umount2=166, swapon=167, reboot=169, sethostname=170, iopl=172, init_module=175,
    quotactl=179, acct=163, settimeofday=164, pivot_root=155, chroot=161, modify_ldt=154, add_key=248, request_key=249,
    keyctl=250, inotify_init=253, unshare=272, perf_event_open=298, fanotify_init=300, name_to_handle_at=303,
    open_by_handle_at=304, setns=308, process_vm_readv=310, process_vm_writev=311, kcmp=312, finit_module=313,
    kexec_file_load=320, bpf=321, userfaultfd=323, pidfd_send_signal=424, io_uring_setup=425, io_uring_enter=426,
    open_tree=428, move_mount=429, fsopen=430, pidfd_getfd=438, process_madvise=440, mount_setattr=442,
    shmget=29, semget=64, msgget=68, mq_open=240, kexec_load=246, migrate_pages=256, move_pages=279, vhangup=153,
    lookup_dcookie=212, nfsservctl=180, chown=92, fchownat=260, setuid=105, capset=126, mknod=133, ioperm=173,
)
open_calls = []
for name, number in CALLS.items():
    ctypes.set_errno(0)
    result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
    if result >= 0 or ctypes.get_errno() not in (1, 38):
        open_calls.append((name, ctypes.get_errno()))
print("BREACH" if open_calls else "blocked", open_calls)
