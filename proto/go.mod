module github.com/taskflow-suite/taskflow/proto

go 1.26.4

require google.golang.org/protobuf v1.36.12
