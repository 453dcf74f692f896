module muster/test/raft/oracle/etcd

go 1.19

require go.etcd.io/raft/v3 v3.0.0-20230805183326-89c97ed7f982

require (
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/golang/protobuf v1.5.2 // indirect
	google.golang.org/protobuf v1.27.1 // indirect
)
