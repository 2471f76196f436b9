"""The endpoints: what each one answers, who sees details, and at which paths.

The middleware and the views come in through `responses`.
"""
