//! What the tests share: telling them apart from one another is their business, so this is as small as it can be.
