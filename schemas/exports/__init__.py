"""The exports that studies import: recognised by their header, read as text, judged by the protocol's mapping.

`read` makes an `Export` of bytes, `recognise` says what it is, `parse` gives the rows that stand and those
that are refused. All are pure: none opens a file.
"""
