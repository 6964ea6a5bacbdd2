"""What is published brought to those who asked for it: at least once, in order, with every attempt logged."""

from exchina.delivery.due import Attempt, Delivery, stopped, undelivered
from exchina.delivery.log import attempts
from exchina.delivery.sending import deliver
from exchina.delivery.subscribers import Site, Subscriber, Subscribers, parse_subscribers

__all__ = [
    "Attempt",
    "Delivery",
    "Site",
    "Subscriber",
    "Subscribers",
    "attempts",
    "deliver",
    "parse_subscribers",
    "stopped",
    "undelivered",
]
