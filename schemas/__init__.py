"""What every frame must look like: a Pandera model for each table, and the formats of exports.

Pandera takes two seconds to import, so these modules are imported where frames are checked.
"""
