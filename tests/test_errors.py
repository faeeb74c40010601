import inspect

from mmcodec import errors


def test_every_error_has_the_one_root():
    classes = [
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if cls.__module__ == errors.__name__
    ]
    assert len(classes) > 4
    assert all(issubclass(cls, errors.MMCodecError) for cls in classes)


def test_a_bitstream_error_says_where_and_in_which_stream():
    error = errors.TruncatedStreamError("the stream is cut short", 17).within("clip.mmc")
    assert str(error) == "clip.mmc: the stream is cut short at byte 17"
    assert isinstance(error, errors.TruncatedStreamError)
    assert error.offset == 17
