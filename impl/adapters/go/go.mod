module poolharness

go 1.21
