-- MySQL dump 10.19
DROP TABLE IF EXISTS `subscriber`;
CREATE TABLE `subscriber` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `username` varchar(64) NOT NULL DEFAULT '',
  `domain` varchar(64) NOT NULL DEFAULT '',
  `password` varchar(64) NOT NULL DEFAULT '',
  `ha1` varchar(128) NOT NULL DEFAULT '',
  `ha1b` varchar(128) NOT NULL DEFAULT '',
  PRIMARY KEY (`id`),
  UNIQUE KEY `account_idx` (`username`,`domain`)
) ENGINE=InnoDB;
LOCK TABLES `subscriber` WRITE;
INSERT INTO `subscriber` VALUES (1,'101','example.test','it\'s; a \\ (secret)','',''),(2,'102','example.test','','0123456789abcdef0123456789abcdef','');
UNLOCK TABLES;
