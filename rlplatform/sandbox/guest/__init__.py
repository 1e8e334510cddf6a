"""The program inside a sandbox. Standard library only: it is baked into the image at ``/opt/rlp/guest`` and run with
``python3 -I -S /opt/rlp``. The host imports :mod:`~rlplatform.sandbox.guest.protocol` and
:mod:`~rlplatform.sandbox.guest.values` from here, so that both sides share one definition.
"""
