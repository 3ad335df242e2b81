-- Run once by the postgres container: the consumer's database is made by POSTGRES_DB, the producer's here.
create database producer;
