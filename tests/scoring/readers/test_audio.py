import hashlib
import itertools
import json
import struct

import av
import numpy as np
import pytest
import soxr
from av import AudioFrame

from scoring.contracts import InputContract, Mix, Peaks, Reader, Resampler
from scoring.errors import Fault
from scoring.readers import audio
from scoring.readers.audio import decode, middle, prepare, probe_inputs, read_sound
from scoring.readers.undecodable import Undecodable
from tests.media_files import grey_frames, sine, write_labels, write_sound, write_video

LOSSLESS = [
    ("pcm_s16le", "wav"),
    ("pcm_u8", "wav"),
    ("pcm_f32le", "wav"),
    ("pcm_s24le", "wav"),
    ("flac", "flac"),
]
LOSSY = [("libmp3lame", "mp3"), ("libopus", "ogg"), ("aac", "m4a")]
QUANTISED = {"pcm_u8": 1 / 128}


def contract(samples=16_000, rate=16_000, **policy):
    return InputContract(reader=Reader.AUDIO, shape=(samples,), low=-1.0, sample_rate=rate, **policy)


def strongest_hertz(sound, rate):
    """Return the peak of the spectrum, found between its lines by widening the window with zeros."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), n=8 * len(sound)))
    return spectrum.argmax() * rate / (8 * len(sound))


@pytest.mark.parametrize(("codec", "suffix"), LOSSLESS)
def test_lossless_codecs_give_the_values_back(codec, suffix, tmp_path):
    sound = sine(440, seconds=1, rate=16_000)
    path = write_sound(tmp_path / f"a.{suffix}", sound, rate=16_000, codec=codec)

    decoded = decode(path, contract())

    assert (decoded.shape, decoded.dtype) == ((16_000,), np.float32)
    np.testing.assert_allclose(decoded, sound, atol=QUANTISED.get(codec, 1 / 32_768))


@pytest.mark.parametrize(("codec", "suffix"), LOSSY)
def test_lossy_codecs_keep_pitch_and_loudness(codec, suffix, tmp_path):
    path = write_sound(tmp_path / f"a.{suffix}", sine(440, seconds=2, rate=48_000), rate=48_000, codec=codec)

    decoded = decode(path, contract())

    assert strongest_hertz(decoded, 16_000) == pytest.approx(440, abs=1)
    assert decoded.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_000, 44_100, 48_000, 96_000])
def test_resampling_keeps_pitch_loudness_and_length(rate, tmp_path):
    path = write_sound(tmp_path / "a.wav", sine(1_000, seconds=1, rate=rate), rate=rate)

    sound = read_sound(path, contract(rate=16_000))

    assert len(sound) == pytest.approx(16_000, abs=1)
    assert strongest_hertz(sound, 16_000) == pytest.approx(1_000, abs=0.5)
    assert sound[1_000:-1_000].std() == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_a_tone_beyond_half_the_rate_is_gone_and_not_mirrored(tmp_path):
    path = write_sound(tmp_path / "a.wav", sine(12_000, seconds=1, rate=48_000), rate=48_000)

    assert np.abs(read_sound(path, contract(rate=16_000))[500:-500]).max() < 0.001


def test_channels_are_averaged(tmp_path):
    left, right = sine(300, seconds=1, rate=16_000), sine(900, seconds=1, rate=16_000)
    path = write_sound(tmp_path / "a.flac", np.stack([left, right]), rate=16_000, codec="flac")

    np.testing.assert_allclose(decode(path, contract()), (left + right) / 2, atol=1 / 16_000)


def test_opposite_channels_cancel_out(tmp_path):
    tone = sine(300, seconds=1, rate=16_000)
    path = write_sound(tmp_path / "a.wav", np.stack([tone, -tone]), rate=16_000)

    assert np.abs(decode(path, contract())).max() <= 1 / 32_768


@pytest.mark.parametrize(
    ("length", "wanted", "expected"),
    [
        (6, 6, [0, 1, 2, 3, 4, 5]),
        (6, 2, [2, 3]),
        (7, 2, [2, 3]),
        (7, 3, [2, 3, 4]),
        (3, 5, [0, 1, 2, 0, 0]),
        (1, 3, [0, 0, 0]),
    ],
)
def test_longer_sounds_lose_both_ends_and_shorter_ones_end_in_silence(length, wanted, expected):
    np.testing.assert_array_equal(middle(np.arange(length, dtype=np.float32), wanted), expected)


def test_the_middle_is_that_of_the_file(tmp_path):
    loud = np.concatenate([np.zeros(16_000), np.full(16_000, 0.25), np.zeros(16_000)])
    path = write_sound(tmp_path / "a.wav", loud, rate=16_000)

    np.testing.assert_allclose(decode(path, contract()), 0.25, atol=1 / 32_768)


def test_loudness_is_left_as_it_is(tmp_path):
    path = write_sound(tmp_path / "a.wav", sine(440, seconds=1, rate=16_000, amplitude=0.01), rate=16_000)

    assert np.abs(decode(path, contract())).max() == pytest.approx(0.01, abs=1 / 32_768)


def test_values_beyond_the_range_are_clipped(tmp_path):
    path = write_sound(
        tmp_path / "a.wav", sine(440, seconds=1, rate=16_000, amplitude=3), rate=16_000, codec="pcm_f32le"
    )

    decoded = decode(path, contract())

    assert (decoded.min(), decoded.max()) == (-1, 1)


def test_each_row_holds_the_sound_that_its_label_names(tmp_path):
    for number in range(5):
        write_sound(tmp_path / f"{number}.wav", np.full(100, number / 8), rate=16_000)
    write_labels(tmp_path, [f"{number}.wav" for number in range(5)])

    found = prepare(tmp_path, contract=contract(100), cache=tmp_path / "cache")
    arrays = np.load(found.inputs)

    assert (arrays.dtype, arrays.shape) == (np.float32, (5, 100))
    np.testing.assert_allclose(arrays.mean(axis=1), found.labels / 8, atol=1 / 32_768)


@pytest.mark.parametrize("other", [contract(99), contract(100, 8_000)])
def test_what_changes_the_arrays_changes_their_file(other, tmp_path):
    write_sound(tmp_path / "a.wav", np.zeros(100), rate=16_000)
    write_labels(tmp_path, ["a.wav"])

    first = prepare(tmp_path, contract=contract(100), cache=tmp_path / "cache")
    second = prepare(tmp_path, contract=other, cache=tmp_path / "cache")

    assert first.inputs != second.inputs


def test_decoding_is_given_up_after_thirty_seconds(tmp_path):
    path = write_sound(tmp_path / "a.wav", sine(440, seconds=1, rate=16_000), rate=16_000)
    clock = itertools.count(0, 31).__next__

    with pytest.raises(Undecodable, match="30 s"):
        decode(path, contract(), clock=clock)


def test_a_sound_may_last_an_hour():
    assert audio.MAX_SOUND_S == 60 * 60


def test_a_sound_that_lasts_as_long_as_it_may_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "MAX_SOUND_S", 2)
    path = write_sound(tmp_path / "a.wav", np.zeros(16_000), rate=8_000)

    assert len(read_sound(path, contract(rate=8_000))) == 16_000


def test_a_sound_that_is_one_sample_longer_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "MAX_SOUND_S", 2)
    path = write_sound(tmp_path / "a.wav", np.zeros(16_001), rate=8_000)

    with pytest.raises(Undecodable, match="2 s"):
        read_sound(path, contract(rate=8_000))


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"])
def test_a_file_that_is_no_sound_cannot_be_decoded(content, tmp_path):
    (tmp_path / "a.wav").write_bytes(content)

    with pytest.raises(Undecodable):
        decode(tmp_path / "a.wav", contract())


@pytest.mark.parametrize(("codec", "suffix"), [("pcm_s16le", "wav"), ("flac", "flac"), ("aac", "m4a")])
def test_half_a_file_cannot_be_decoded(codec, suffix, tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 48_000)
    path = write_sound(tmp_path / f"a.{suffix}", noise, rate=16_000, codec=codec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(Undecodable):
        decode(path, contract())


def test_a_file_without_samples_cannot_be_decoded(tmp_path):
    path = write_sound(tmp_path / "a.wav", np.zeros(100), rate=16_000)
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(Undecodable):
        decode(path, contract())


def test_values_that_are_no_numbers_cannot_be_decoded(tmp_path):
    path = write_sound(tmp_path / "a.wav", np.full(1_000, np.nan), rate=16_000, codec="pcm_f32le")

    with pytest.raises(Undecodable, match="not numbers"):
        decode(path, contract())


def test_a_silent_film_is_no_sound(tmp_path):
    path = write_video(tmp_path / "a.mp4", grey_frames([1, 2]))

    with pytest.raises(Undecodable, match="no audio"):
        decode(path, contract())


def test_a_damaged_sound_is_a_fault_that_names_the_row_alone(tmp_path):
    write_sound(tmp_path / "good.wav", np.zeros(100), rate=16_000)
    (tmp_path / "bad.wav").write_bytes(b"no sound at all")
    write_labels(tmp_path, ["good.wav", "bad.wav"])

    with pytest.raises(Fault, match="row 2 of the dataset: the sound") as caught:
        prepare(tmp_path, contract=contract(), cache=tmp_path / "cache")

    assert "bad.wav" not in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 16_000), (3, 8, 8)])
def test_a_contract_of_several_sides_is_a_fault(shape, tmp_path):
    write_sound(tmp_path / "a.wav", np.zeros(100), rate=16_000)
    write_labels(tmp_path, ["a.wav"])

    with pytest.raises(Fault, match="audio reader"):
        prepare(tmp_path, contract=InputContract(reader=Reader.AUDIO, shape=shape), cache=tmp_path / "cache")


@pytest.mark.parametrize(("samples", "rate"), [(96_000, 16_000), (4_000, 8_000), (1, 16_000)])
def test_probe_inputs_are_different_voices_within_the_range(samples, rate, tmp_path):
    arrays = np.load(probe_inputs(contract(samples, rate), tmp_path))

    assert (arrays.shape, arrays.dtype) == ((4, samples), np.float32)
    assert np.isfinite(arrays).all()
    assert np.abs(arrays).max() <= 0.5


def test_probe_inputs_are_not_alike(tmp_path):
    arrays = np.load(probe_inputs(contract(96_000), tmp_path))

    correlations = np.abs(np.corrcoef(arrays)[np.triu_indices(4, k=1)])

    assert (arrays.std(axis=1) > 0.02).all()
    assert correlations.max() < 0.5


# --- the policies of mixing and resampling ------------------------------------------------------

AS_FFMPEG = {"mix": Mix.FFMPEG, "resampler": Resampler.SWRESAMPLE, "peaks": Peaks.KEEP}
POLICIES = [*itertools.product(Mix, Resampler, Peaks)]


@pytest.fixture
def stereo(tmp_path):
    """A quarter of a second of different noise left and right, and the two as arrays."""
    left, right = np.random.default_rng(0).uniform(-0.4, 0.4, (2, 11_025)).astype(np.float32)
    path = write_sound(tmp_path / "a.wav", np.stack([left, right]), rate=44_100, codec="pcm_f32le")
    return path, left, right


def through_ffmpeg(path, rate=16_000):
    """Return a file as FFmpeg brings it to mono floats, in one pass."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    with av.open(str(path)) as container:
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    return np.concatenate([piece.to_ndarray()[0] for piece in [*frames, *resampler.resample(None)]])


def test_ffmpegs_mix_is_the_sum_of_both_channels_times_the_root_of_a_half(stereo):
    path, left, right = stereo

    mixed = read_sound(path, contract(rate=44_100, **AS_FFMPEG))

    np.testing.assert_allclose(mixed, (left + right) * np.sqrt(0.5), atol=1e-6)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("pcm_s16le", "wav"), ("pcm_s24le", "wav"), ("flac", "flac"), *LOSSY]
)
@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_mixed_and_resampled_by_ffmpeg_it_is_ffmpegs_to_the_bit(codec, suffix, rate, tmp_path):
    noise = np.random.default_rng(0).uniform(-0.9, 0.9, (2, rate))
    path = write_sound(tmp_path / f"a.{suffix}", noise, rate=rate, codec=codec)

    assert np.array_equal(read_sound(path, contract(**AS_FFMPEG)), through_ffmpeg(path))


def test_the_mean_by_soxr_is_what_librosa_makes_of_it(stereo):
    path, left, right = stereo
    mean = np.mean([left, right], axis=0)

    found = read_sound(path, contract())

    np.testing.assert_allclose(found, soxr.resample(mean, 44_100, 16_000, quality="HQ"), atol=1e-6)


@pytest.mark.parametrize("resampler", Resampler)
def test_either_mix_goes_with_either_resampler(resampler, stereo):
    path, _, _ = stereo

    mean, sums = (read_sound(path, contract(mix=mix, resampler=resampler)) for mix in Mix)

    np.testing.assert_allclose(sums, mean * np.sqrt(2), atol=1e-6)


@pytest.mark.parametrize(("peaks", "greatest"), [(Peaks.CLIP, 1.0), (Peaks.KEEP, 0.9 * np.sqrt(2))])
def test_what_the_mix_throws_beyond_the_range_is_clipped_or_left(peaks, greatest, tmp_path):
    loud = np.full((2, 16_000), 0.9)
    path = write_sound(tmp_path / "a.wav", loud, rate=16_000, codec="pcm_f32le")

    found = decode(path, contract(**AS_FFMPEG | {"peaks": peaks}))

    assert found.max() == pytest.approx(greatest, abs=1e-6)


def test_each_policy_has_arrays_of_its_own_and_the_first_keeps_its_old_name(tmp_path):
    write_sound(tmp_path / "a.wav", np.zeros(100), rate=16_000)
    write_labels(tmp_path, ["a.wav"])

    found = [
        prepare(
            tmp_path,
            contract=contract(100, **dict(zip(AS_FFMPEG, policy, strict=True))),
            cache=tmp_path / "cache",
        )
        for policy in POLICIES
    ]

    names = [each.inputs.stem for each in found]
    old = json.dumps(["1", "audio", found[0].digest, [100], 16_000])
    assert len(set(names)) == len(POLICIES)
    assert names[0] == hashlib.sha256(old.encode()).hexdigest()[:40]


def test_channels_that_change_cannot_be_decoded(tmp_path):
    frames = [AudioFrame(format="flt", layout=layout, samples=10) for layout in ("stereo", "mono")]
    for frame in frames:
        frame.sample_rate = 16_000

    with pytest.raises(Undecodable, match="channels change"):
        list(audio._bounded(iter(frames), 16_000))


def wav(samples, *, riff, stated, chunk=b""):
    """Return a WAV of 16 bits at 16 kHz that states these lengths."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", riff, b"WAVE")
    return head + form + chunk + struct.pack("<4sI", b"data", stated) + samples.tobytes()


@pytest.mark.parametrize(
    ("riff", "stated"),
    [
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF - 36),
        (0x7FFFF024, 0x7FFFF000),
        (0xFFFFFFFF, 0),
        (36, 0),
        (0, 0),
    ],
)
@pytest.mark.parametrize("chunk", [b"", struct.pack("<4sI26s", b"LIST", 26, b"INFOISFT")])
def test_a_wav_that_was_written_to_a_pipe_is_read_to_its_end(riff, stated, chunk, tmp_path):
    samples = np.arange(1, 16_001, dtype="<i2")
    (tmp_path / "a.wav").write_bytes(wav(samples, riff=riff, stated=stated, chunk=chunk))

    decoded = decode(tmp_path / "a.wav", contract())

    np.testing.assert_array_equal(decoded, samples / np.float32(32_768))


@pytest.mark.parametrize("stated", [2 * 16_000 * 2, 2 * 16_000 + 2])
def test_a_wav_that_states_more_than_it_holds_is_cut_off(stated, tmp_path):
    samples = np.arange(1, 16_001, dtype="<i2")
    (tmp_path / "a.wav").write_bytes(wav(samples, riff=36 + stated, stated=stated))

    with pytest.raises(Undecodable, match="damaged or cut off"):
        decode(tmp_path / "a.wav", contract())
