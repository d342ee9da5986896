"""The eSpeak NG library behind a small class, and a worker that speaks a list of utterances.

:mod:`ser_lib.corpora.builtin` runs this file as a program of its own: eSpeak NG is one global
state per process and sets the process's locale, neither of which belongs in a reader's notebook.
Only the standard library is used.
"""

from __future__ import annotations

import ctypes
import json
import sys
import wave
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

RATE = 22_050
"""Sampling rate in Hz of all voices of eSpeak NG's own (formant) synthesiser."""

_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)
# From espeak-ng/speak_lib.h.
_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_FROM_CHARACTER = 1
_UTF8 = 1
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "range": 4}


class Espeak:
    """One freshly loaded eSpeak NG; a context manager that unloads it again.

    Nothing but a fresh copy of the library starts in the same state each time: the slow random
    movement of the pitch and the roughness of a voice run on from utterance to utterance in
    static variables that ``espeak_Initialize`` leaves alone.

    Args:
        library: path of the shared library.
        data: folder that contains ``espeak-ng-data``; relative is best, for eSpeak NG keeps it
            in a buffer of limited length.

    Raises:
        OSError: the library cannot be loaded.
        RuntimeError: it does not find its data, or its voices have another sampling rate.
    """

    def __init__(self, library: str, data: str = ".") -> None:
        """Load and initialise the library; no audio device is opened."""
        self._library = ctypes.CDLL(library)
        self._library.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DO_NOT_EXIT)
        if rate != RATE:
            raise RuntimeError(
                f"eSpeak NG {library} with data in {data} gives {rate} Hz instead of {RATE}"
            )
        self._variants = Path(data, "espeak-ng-data", "voices", "!v")
        self._spoken = bytearray()
        # Kept in the object: C holds only a bare pointer to it.
        self._callback = _CALLBACK(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def __enter__(self) -> Espeak:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._library.espeak_Terminate()
        handle = self._library._handle
        del self._library
        if sys.platform == "win32":
            from _ctypes import FreeLibrary

            FreeLibrary(handle)
        else:
            from _ctypes import dlclose

            dlclose(handle)

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _: int | None) -> int:
        if samples and count > 0:
            self._spoken += ctypes.string_at(samples, 2 * count)
        return 0

    def speak(self, text: str, voice: str, **parameters: int) -> bytes:
        """Speak ``text`` and return its samples, 16 bit in the machine's byte order.

        Args:
            text: one sentence.
            voice: language and variant, such as ``en-us+f1``.
            parameters: ``rate`` (words per minute), ``volume``, ``pitch``, ``range``.

        Raises:
            RuntimeError: eSpeak NG refuses the voice, a parameter or the text.
        """
        # eSpeak NG takes an unknown variant for none at all, and says nothing.
        _, _, variant = voice.partition("+")
        if variant and not (self._variants / variant).is_file():
            raise RuntimeError(f"eSpeak NG has no voice {voice!r}: no file {variant!r}")
        self._check(self._library.espeak_SetVoiceByName(voice.encode()), f"voice {voice!r}")
        for name, value in parameters.items():
            status = self._library.espeak_SetParameter(_PARAMETERS[name], value, 0)
            self._check(status, f"{name} {value}")
        self._spoken.clear()
        said = text.encode()
        status = self._library.espeak_Synth(
            said, len(said) + 1, 0, _FROM_CHARACTER, 0, _UTF8, None, None
        )
        self._check(status, f"text {text!r}")
        self._check(self._library.espeak_Synchronize(), f"text {text!r}")
        return bytes(self._spoken)

    def _check(self, status: int, what: str) -> None:
        if status != 0:
            raise RuntimeError(f"eSpeak NG refuses {what} (status {status})")


def speak_all(library: str, folder: Path, jobs: Sequence[dict[str, str | int]]) -> None:
    """Write one 16-bit WAV file per job into ``folder``.

    A job has ``key`` (the file's name), ``text``, ``voice`` and the parameters of
    :meth:`Espeak.speak`.

    Raises:
        RuntimeError: as :class:`Espeak`, or an utterance has no sound.
        OSError: a file cannot be written.
    """
    for job in jobs:
        key, text, voice = (str(job[name]) for name in ("key", "text", "voice"))
        with Espeak(library) as espeak:
            samples = espeak.speak(text, voice, **{n: int(job[n]) for n in _PARAMETERS})
        if not any(samples):
            raise RuntimeError(f"eSpeak NG gave no sound for {key}: {text!r} in voice {voice!r}")
        with wave.open(str(folder / f"{key}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples)


if __name__ == "__main__":
    try:
        speak_all(sys.argv[1], Path(sys.argv[2]), json.load(sys.stdin))
    except (OSError, RuntimeError) as problem:
        sys.exit(str(problem))
