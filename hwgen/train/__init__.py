"""Training of networks whose products, roundings and updates a trainer core does, in changing precision."""

from __future__ import annotations

from hwgen.train.data import DataSet, Samples, load_digits, split
from hwgen.train.device_step import DeviceStep
from hwgen.train.host_step import HostStep
from hwgen.train.layers import Conv2d
from hwgen.train.loop import EpochRecord, Training, train
from hwgen.train.network import Network, Parameters
from hwgen.train.network_spec import NetworkSpec, load_network
from hwgen.train.policies import Policy, parse_policy
from hwgen.train.step import Hyperparameters, StepResult

__all__ = [
    "Conv2d",
    "DataSet",
    "DeviceStep",
    "EpochRecord",
    "HostStep",
    "Hyperparameters",
    "Network",
    "NetworkSpec",
    "Parameters",
    "Policy",
    "Samples",
    "StepResult",
    "Training",
    "load_digits",
    "load_network",
    "parse_policy",
    "split",
    "train",
]
