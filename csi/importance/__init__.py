"""What matters and how well it is done: drivers of a target and their second opinion."""

from csi.importance.drivers import Drivers, drivers
from csi.importance.robust import RobustDrivers, robust_drivers

__all__ = ["Drivers", "RobustDrivers", "drivers", "robust_drivers"]
