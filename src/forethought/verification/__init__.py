"""What a stranger can check: the record of an allocation, taken from a study or from a file, and its replay.

records      what the allocation left behind: registration, ledger, rows
archive      that record as one zip, for those who do not have the study; `tables` are its files of rows
replaying    each wave's answer: agreed, differs, or not revealed yet
automatic    the same inside the process that holds the seeds: yes or no, while the study is blinded
"""
