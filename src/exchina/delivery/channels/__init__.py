"""The channels to a subscriber, one file each: a function that takes the message and the site, and says how it ended.

What the other side does wrong is an `exchina.delivery.message.Outcome`, or any exception that a library raises; what is
wrong here, such as a missing secret, is an `exchina.errors.PublicationError`. The trait ``links`` marks a channel whose
messages say where files are served.
"""

from exchina.plugins import Register

channel = Register("channel", "exchina.delivery.channels")
