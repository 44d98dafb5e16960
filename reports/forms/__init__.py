"""The plan as the forms of others ask for it: AsPredicted, and OSF Preregistration.

Each form is filled from the protocol alone; what is locked adds its fingerprint, its time and the commitments to the
seeds. Block sizes, seeds and notes of assumptions are in no form: whoever enrols may read a public registration.
"""
