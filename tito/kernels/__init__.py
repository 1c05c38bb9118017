"""Where cells run.

:func:`client.make_kernel` begins a kernel, as :mod:`kernel_protocol` describes it. Its process is
:mod:`shell` with :mod:`capture`; :mod:`frames` says what may come from it, :mod:`recorder` makes
outputs of that. :mod:`zygote` is the server that is forked for a kernel, :mod:`zygote_client` its
client.
"""
