"""Files on disk: a shot's footage, plate and mattes, the results and their cache, and PlateKey's own folder."""
