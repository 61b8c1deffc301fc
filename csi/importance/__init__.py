"""What matters and how well it is done: drivers of a target, their second opinion, and what the target needs."""

from csi.importance.cipma import Cipma, cipma
from csi.importance.drivers import Drivers, drivers
from csi.importance.nca import Nca, nca
from csi.importance.robust import RobustDrivers, robust_drivers

__all__ = ["Cipma", "Drivers", "Nca", "RobustDrivers", "cipma", "drivers", "nca", "robust_drivers"]
