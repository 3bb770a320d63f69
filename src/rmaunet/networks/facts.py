"""What tables and padding need to know about a network without building it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["BORROWED_MULTIPLE", "FACTS", "NetworkFacts", "network_title"]

BORROWED_MULTIPLE = 32
"""Sides of the input of another library's network must be multiples of this: five poolings, as most of them have."""


@dataclass(frozen=True)
class NetworkFacts:
    """One network as its authors published it, or as we rebuilt it.

    Attributes:
        title: As written in tables, without the mark of a reconstruction.
        reference: Authors, journal or conference, year.
        parameters: Trainable numbers with the default arguments (one channel in, two out).
        multiple_of: Sides of the input must be multiples of this.
        reconstruction: Whether layers had to be guessed because neither code nor full text was at hand.
    """

    title: str
    reference: str
    parameters: int
    multiple_of: int = 16
    reconstruction: bool = False

    @property
    def printed(self) -> str:
        """The title as tables must print it."""
        return f"{self.title} (reconstruction)" if self.reconstruction else self.title


FACTS: Mapping[str, NetworkFacts] = MappingProxyType(
    {
        "rmaunet": NetworkFacts("RMAU-Net", "Jiang et al., Comput. Biol. Med. 2023", 43_676_550),
        "unet": NetworkFacts("U-Net", "Ronneberger et al., MICCAI 2015", 31_036_546),
        "unetpp": NetworkFacts("U-Net++", "Zhou et al., DLMIA 2018", 9_045_282),
        "attention_unet": NetworkFacts("Attention U-Net", "Oktay et al., MIDL 2018", 34_869_674),
        "raunet": NetworkFacts("RA-UNet (2-D)", "Jin et al., Front. Bioeng. Biotechnol. 2020", 738_010, multiple_of=32),
        "asunetpp": NetworkFacts("ASU-Net++", "Gao and Almekkawy, Comput. Biol. Med. 2021", 38_898_018),
        "saanet": NetworkFacts(
            "SAA-Net", "Zhang et al., Biomed. Signal Process. Control 2022", 56_922_042, reconstruction=True
        ),
        "hfrunet": NetworkFacts(
            "HFRU-Net",
            "Kushnure and Talbar, Comput. Methods Programs Biomed. 2022",
            45_224_514,
            reconstruction=True,
        ),
        "unet3plus": NetworkFacts("UNet 3+", "Huang et al., ICASSP 2020", 26_966_978),
        "nnunet2d": NetworkFacts(
            "nnU-Net 2d (network only)", "Isensee et al., Nat. Methods 2021", 33_468_866, multiple_of=64
        ),
    }
)
"""Facts of every network in ``NETWORKS``, under the same name."""


def network_title(name: str) -> str:
    """How a table prints a network, with "(reconstruction)" where it is one.

    Args:
        name: A key of ``NETWORKS`` or a name of the adapter such as "monai:DynUNet".

    Returns:
        The printed title; for a borrowed network its class and library.

    Raises:
        KeyError: If there is no such network.

    Example:
        >>> network_title("saanet"), network_title("smp:MAnet")
        ('SAA-Net (reconstruction)', 'MAnet (smp)')
    """
    library, colon, borrowed = name.partition(":")
    return f"{borrowed} ({library})" if colon else FACTS[name].printed
