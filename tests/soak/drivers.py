"""All drivers."""

from .archives import ARCHIVES
from .damage import BITS, DAMAGE
from .ledger import Driver
from .long_run import LONG_RUN
from .odd import ODD
from .odd_sound import ODD_SOUND
from .readers import READERS
from .sounds import SOUNDS
from .stops import FULL_DISK, INTERRUPTS, KILLS
from .strangers import STRANGERS
from .threads import THREADS
from .together import TOGETHER

DRIVERS: list[Driver] = [
    KILLS, INTERRUPTS, FULL_DISK, TOGETHER, DAMAGE, BITS, STRANGERS, READERS, ARCHIVES, SOUNDS, ODD, ODD_SOUND, THREADS, LONG_RUN,
]
