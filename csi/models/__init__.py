"""What we claim: the model noun, its language (`syntax`), its checks, and the library of cards. No data here."""

from csi.models.cards import card_names, read_card
from csi.models.check import check_composites, check_model
from csi.models.model import Model

__all__ = ["Model", "card_names", "check_composites", "check_model", "read_card"]
