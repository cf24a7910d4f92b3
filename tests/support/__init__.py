"""What tests share: servers, repositories, keys, bundles, cases."""
